"""Workers of a Dask cluster, reached over TCP or TLS."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from simulator.errors import CommandError
from simulator.loopback import is_loopback
from simulator.sweep import engines
from simulator.sweep.plain import Rows
from simulator.sweep.plan import Plan

Range = tuple[int, int]
PATIENCE = 15.0
"""Seconds in which a scheduler has to answer."""
ALONE = 60.0
"""Seconds that a cluster may be without any worker."""
LOOK = 10.0
"""Seconds after which a wait looks whether anybody is still there."""
KEPT = "what was run is kept, and --resume goes on"


def check_address(address: str, *, insecure: bool) -> str:
    """A warning for an address that is reached in the clear; raises `CommandError` if it may not.

    Beyond this computer only TLS is taken, unless `insecure`.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or not parts.port:
        raise CommandError(
            f"--dask {address}: expected tcp://HOST:PORT or tls://HOST:PORT, such as "
            "tcp://127.0.0.1:8786"
        )
    if parts.scheme == "tls" or is_loopback(parts.hostname):
        return ""
    if not insecure:
        raise CommandError(
            f"--dask {address}: whoever can reach a scheduler in the clear can run programs on it; "
            "use tls:// beyond this computer, or --dask-insecure on a network of your own"
        )
    return f"{address} is reached in the clear: whoever can reach it can run programs on it"


class Cluster:
    """Everybody who works for one scheduler."""

    def __init__(
        self, plan: Plan, engine: str, address: str, security: Mapping[str, str] | None = None
    ) -> None:
        try:
            import distributed
        except ImportError:
            raise CommandError("--dask needs pip install '.[cluster]'") from None
        self._distributed: Any = distributed
        self.plan, self.engine = plan, engine
        options: dict[str, Any] = {}
        if security:
            options["security"] = self._distributed.Security(require_encryption=True, **security)
        try:
            self._client: Any = self._distributed.Client(address, timeout=PATIENCE, **options)
            threads = self._client.nthreads()
        except (OSError, TimeoutError) as error:
            raise CommandError(f"--dask {address}: no scheduler answers ({error})") from None
        if not threads:
            self._client.close()
            raise CommandError(f"--dask {address}: the scheduler has no workers yet")
        self.count = max(1, sum(threads.values()))
        self._out: dict[Any, Range] = {}

    def give(self, runs: Range) -> None:
        """Give out some runs."""
        future = self._client.submit(
            engines.rows, self.plan, self.engine, *runs, pure=False, retries=0
        )
        self._out[future] = runs

    def take(self) -> tuple[Range, Rows | None]:
        """Wait for some runs that are ready, or were lost."""
        ready = self._patiently(self._wait)
        future = next(iter(ready))
        runs = self._out.pop(future)
        if future.status == "finished":
            rows = self._patiently(future.result)
            return runs, rows if isinstance(rows, Rows) else None
        error = self._patiently(future.exception) if future.status == "error" else None
        if isinstance(error, self._distributed.scheduler.KilledWorker) or error is None:
            return runs, None
        raise CommandError(f"a worker of the cluster could not run the sweep: {error!r}")

    def _wait(self, timeout: float) -> Any:
        return self._distributed.wait(
            list(self._out), timeout=timeout, return_when="FIRST_COMPLETED"
        ).done

    def _patiently(self, ask: Callable[[float], Any]) -> Any:
        """What is asked of the cluster, as long as there is one."""
        begin = time.monotonic()
        try:
            while True:
                try:
                    return ask(LOOK)
                except TimeoutError:
                    if self._client.status != "running":
                        raise ConnectionError from None
                    if self._client.nthreads():
                        begin = time.monotonic()
                    elif time.monotonic() - begin > ALONE:
                        raise CommandError(f"--dask: all workers are gone; {KEPT}") from None
        except (OSError, asyncio.CancelledError, concurrent.futures.CancelledError):
            raise CommandError(f"--dask: the scheduler is gone; {KEPT}") from None

    def close(self) -> None:
        """Nothing more is wanted of them."""
        with contextlib.suppress(OSError, TimeoutError):  # whoever is gone needs no telling
            for future in self._out:
                future.cancel()
            self._client.close()
