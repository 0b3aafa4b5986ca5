"""The whole account of an export as JSON."""

from exporters.account import Account, ChatAccount, SourceAccount

VERSION = 1

JSON = dict[str, object]


def report_of(account: Account) -> JSON:
    """Return what `--report` writes: every number that the command prints, and more."""
    return {
        "v": VERSION,
        "messages": account.messages,
        "outgoing": account.outgoing,
        "left_out": dict(account.left_out),
        "balanced": account.balanced,
        "left_alone": account.left_alone,
        "sources": [_source(source) for source in account.sources],
        "chats": [_chat(chat) for chat in account.chats],
    }


def _source(source: SourceAccount) -> JSON:
    return {
        "name": source.name,
        "format": source.exporter or None,
        "template": source.flavour or None,
        "zone": source.zone,
        "me": dict(source.owners),
        "remarks": source.remarks,
        "failed": source.failed,
        "records": source.records,
        "messages": source.messages,
        "notices": dict(source.notices),
        "rejected": dict(source.rejected),
        "first_rejected": [
            {"where": place.where, "reason": place.reason} for place in source.places
        ],
    }


def _chat(chat: ChatAccount) -> JSON:
    return {
        "platform": chat.platform,
        "chat_id": chat.chat_id,
        "chat": chat.chat,
        "messages": chat.messages,
        "outgoing": chat.outgoing,
        "me": list(chat.owner),
        "evidence": chat.evidence,
        "speakers": [
            {"id": id_, "name": chat.names[id_], "messages": count}
            for id_, count in chat.speakers.most_common()
        ],
    }
