"""What `Store` knows of listing runs for exports and the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tracking.database import listing, search
from tracking.errors import InvalidValue
from tracking.store_handle import StoreHandle

PAGE = 1_000


class StoreListing(StoreHandle):
    """Runs in pages, and a run by the beginning of its id; a part of `Store`."""

    def search_pages(
        self,
        where: str = "",
        *,
        experiment: str | None = None,
        order_by: str | None = None,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
        children: bool = False,
        rows: int = PAGE,
    ) -> Iterator[Mapping[str, Sequence[Any]]]:
        """Yield the runs that `search` finds, in pages as plain columns, so that memory stays bounded.

        Unlike in a data frame, NaN is a value and None says that there is none. Each page is read when
        it is asked for: a run whose place in the order moves meanwhile may be missed or come twice.

        Args:
            where: As in `search`, like all but `rows`.
            experiment: Only runs of this experiment.
            order_by: The order.
            limit: At most so many runs in all, None for every one.
            columns: Which columns to add; None for those that a page's runs have.
            children: Also runs that are a part of another one.
            rows: Runs per page.

        Yields:
            Values by column, as `tracking.database.search.SearchResult` has them; no page is empty.

        Raises:
            FilterError: The filter or the order cannot be read.
            InvalidValue: Another argument makes no sense.
        """
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise InvalidValue(f"limit={limit!r} must be a positive whole number, or None for every run.")
        after = None
        while limit is None or limit > 0:
            wanted = rows if limit is None else min(rows, limit)
            with self._reading(drain=after is None) as connection:
                page = search.search(
                    connection,
                    where,
                    experiment=experiment,
                    order_by=order_by,
                    limit=wanted,
                    after=after,
                    columns=columns,
                    children=children,
                )
            if not len(page):
                return
            yield page.columns
            if len(page) < wanted:
                return
            after = page.columns["run"][-1]
            limit = None if limit is None else limit - len(page)

    def find_run(self, beginning: str) -> str:
        """Return the id of the one run whose id is, or begins with, `beginning`; also from the trash.

        Raises:
            NotFound: There is none.
            InvalidValue: There are several; the message lists some.
        """
        with self._reading() as connection:
            return listing.find_run(connection, beginning)
