"""Everything that can go wrong, as one tree.

LikenessError: anything the person at the keyboard can mend; the command prints it as one line
    SourceError: a foreign export that cannot be used
        UnrecognisedSource: no exporter knows this file or folder
        AmbiguousSource: two exporters claim the same file
        DamagedSource: the format is known, the content cannot be read
    MessagesError: a messages.jsonl that cannot be used
        BadLine: one of its lines is not a message
        UnknownVersion: it was written by a newer Likeness
    OwnerUnknown: nobody could tell which speaker is "me"
    NoSuchName: no chat or speaker bears a name that was asked for
    TrainingError: training cannot begin or go on
        BadSetting: a --set that does not exist or does not fit
        BaseUnavailable: the base model cannot be loaded
        NothingToLearn: the file holds no message that could teach
        RunExists: the run's folder is taken
        CannotResume: there is nothing to go on from, or it was made from other data
        Interrupted: stopped by the person at the keyboard, with everything saved
    ModelError: a model folder that cannot be used
        ModelNotFound: there is no such run
        BadCard: likeness.json, or what belongs to it, is missing or damaged
        PromptVersionMismatch: the model was trained with another prompt format
    ServeError: the bot cannot start or go on
        BadSettings: the environment lacks something, or holds something that does not fit
        TokenRefused: the platform does not accept the bot's token
        PlatformUnavailable: the platform cannot be reached, or sends this bot away
            IntentMissing: the developer portal does not let this bot read messages on Discord
        InstanceRunning: another process of this bot is at work
        DatabaseError: the database cannot be used
            DatabaseTooNew: the database was migrated by a newer Likeness
"""

from typing import ClassVar

# The numbers are those of sysexits.h, which supervisors know by name.
_UNAVAILABLE, _TRY_LATER, _CONFIGURATION = 69, 75, 78


class LikenessError(Exception):
    """Anything the person at the keyboard can mend; the command prints it as one line."""

    exit_code: ClassVar[int] = 1
    """With what the command ends, so that a supervisor knows whether to try again."""


class SourceError(LikenessError):
    """A foreign export that cannot be used."""


class UnrecognisedSource(SourceError):
    """No exporter knows this file or folder."""


class AmbiguousSource(SourceError):
    """Two exporters claim the same file."""


class DamagedSource(SourceError):
    """The format is known, the content cannot be read."""


class MessagesError(LikenessError):
    """A messages.jsonl that cannot be used."""


class BadLine(MessagesError):
    """One of its lines is not a message."""


class UnknownVersion(MessagesError):
    """It was written by a newer Likeness."""


class OwnerUnknown(LikenessError):
    """Nobody could tell which speaker is "me"."""


class NoSuchName(LikenessError):
    """No chat or speaker bears a name that was asked for."""


class TrainingError(LikenessError):
    """Training cannot begin or go on."""


class BadSetting(TrainingError):
    """A --set that does not exist or does not fit."""


class BaseUnavailable(TrainingError):
    """The base model cannot be loaded."""


class NothingToLearn(TrainingError):
    """The file holds no message that could teach."""


class RunExists(TrainingError):
    """The run's folder is taken."""


class CannotResume(TrainingError):
    """There is nothing to go on from, or it was made from other data."""


class Interrupted(TrainingError):
    """Stopped by the person at the keyboard, with everything saved."""


class ModelError(LikenessError):
    """A model folder that cannot be used."""


class ModelNotFound(ModelError):
    """There is no such run."""

    exit_code = _CONFIGURATION


class BadCard(ModelError):
    """likeness.json, or what belongs to it, is missing or damaged."""

    exit_code = _CONFIGURATION


class PromptVersionMismatch(ModelError):
    """The model was trained with another prompt format."""

    exit_code = _CONFIGURATION


class ServeError(LikenessError):
    """The bot cannot start or go on."""


class BadSettings(ServeError):
    """The environment lacks something, or holds something that does not fit."""

    exit_code = _CONFIGURATION


class TokenRefused(ServeError):
    """The platform does not accept the bot's token."""

    exit_code = _CONFIGURATION


class PlatformUnavailable(ServeError):
    """The platform cannot be reached, or sends this bot away."""

    exit_code = _UNAVAILABLE


class IntentMissing(PlatformUnavailable):
    """The developer portal does not let this bot read messages on Discord."""

    exit_code = _CONFIGURATION


class InstanceRunning(ServeError):
    """Another process of this bot is at work."""

    exit_code = _TRY_LATER


class DatabaseError(ServeError):
    """The database cannot be used."""


class DatabaseTooNew(DatabaseError):
    """The database was migrated by a newer Likeness."""

    exit_code = _CONFIGURATION
