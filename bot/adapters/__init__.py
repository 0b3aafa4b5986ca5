"""One file a platform: translate, ask, send."""
