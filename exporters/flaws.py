"""What an export could not read: whether it may go on, and why there is nothing at all."""

from collections.abc import Sequence

from exporters.account import Account
from likeness.errors import SourceError


def refuse_flaws(account: Account, failures: Sequence[SourceError]) -> None:
    """Refuse whatever is not read as a whole, as `--strict` asks.

    Args:
        account: What has become of the sources so far.
        failures: Why some of them could not be read.

    Raises:
        SourceError: Something could not be read.
    """
    if failures:
        raise failures[0]
    if account.left_alone:
        raise SourceError(
            f"Not all that was given is an export that Likeness reads: {account.left_alone_told}; "
            "leave out --strict to export the others."
        )
    for source in account.sources:
        if source.places:
            where, count = source.places[0], source.rejected.total()
            cannot = (
                f"a record cannot be used, at {where.where}"
                if count == 1
                else f"{count} records cannot be used, the first at {where.where}"
            )
            raise SourceError(
                f"{source.name}: {cannot}: {where.reason}; leave out --strict to export the others."
            )


def nothing_read(account: Account, failures: Sequence[SourceError]) -> SourceError:
    """Return why there is no message at all."""
    sources = account.sources
    if any(source.failed is None for source in sources):
        records = sum(source.records for source in sources)
        return SourceError(f"There is no message of a person among {records} records.")
    if len(failures) == 1:
        return failures[0]
    return SourceError(f"None of {len(sources)} sources can be read; the first: {failures[0]}")
