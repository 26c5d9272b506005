"""The watch floor in a browser: a thin skin of pages over the same readings, outlooks and workflow as the commands.

`settings`, `state` (sessions, what was worked out), `guard` (what every request must hold), `visit` (one request of
one person), `page` (templates), `app`. Each page is a room with its `ROUTES`: `board`, `logging`, `evidence`, `why`,
`watch`, `study`, `reports`, `record`, `team`. Nothing here computes; nothing here goes out to any network.
"""

from forecast.web.app import create_app
from forecast.web.settings import Settings

__all__ = ["Settings", "create_app"]
