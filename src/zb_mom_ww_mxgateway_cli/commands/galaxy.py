"""The Galaxy: whether it can be reached, its deploys, its objects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..arguments import INT32_MAX, NAME, TIME, as_json
from ..bounded import Bounds, collect, stream_options
from ..connection_options import connection_options
from ..connections import with_galaxy
from ..outcome import FAILED
from ..output import say, show, show_json, show_reply
from ..people import deploy_line, object_line

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, GalaxyRepositoryClient
    from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb

__all__ = ["galaxy_browse", "galaxy_discover", "galaxy_last_deploy", "galaxy_test_connection", "galaxy_watch"]

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def _filters(which: str) -> Callable[[CommandT], CommandT]:
    """The filters of a listing; all that are given must hold.

    Args:
        which: "root" or "parent", where the listing starts.
    """

    def decorate(function: CommandT) -> CommandT:
        for option in (
            click.option(
                "--page-size", default=0, type=click.IntRange(0, 5000), metavar="N", help="0 is the gateway's default."
            ),
            click.option("--historized-only", is_flag=True, help="Only objects with a historized attribute."),
            click.option("--alarm-bearing-only", is_flag=True, help="Only objects with an alarm attribute."),
            click.option(
                "--attributes/--no-attributes",
                "include_attributes",
                default=False,
                help="With the attributes of each object.  [default: without]",
            ),
            click.option("--tag-name-glob", type=NAME, metavar="GLOB", help="Such as Pump_*; * and ? are known."),
            click.option(
                "--template-chain-contains",
                multiple=True,
                type=NAME,
                metavar="TEXT",
                help="Part of a template's name; may be given again.",
            ),
            click.option(
                "--category-id",
                "category_ids",
                multiple=True,
                type=click.IntRange(0, INT32_MAX),
                metavar="N",
                help="13 is an area; may be given again.",
            ),
            click.option(f"--{which}-contained-path", type=NAME, metavar="PATH", help="Start at Area1/Line3."),
            click.option(f"--{which}-tag-name", type=NAME, metavar="NAME", help="Start at this object."),
            click.option(
                f"--{which}-gobject-id", type=click.IntRange(0, INT32_MAX), metavar="N", help="Start at this object."
            ),
        ):
            function = option(function)
        return function

    return decorate


def _given(filters: dict[str, Any], which: str) -> dict[str, Any]:
    """What was asked for, for the library.

    Raises:
        click.UsageError: more than one place to start.
    """
    found = {name: value for name, value in filters.items() if value is not None and value != ()}
    places = [f"--{name.replace('_', '-')}" for name in sorted(found) if name.startswith(f"{which}_")]
    if len(places) > 1:
        raise click.UsageError(f"{' and '.join(places)} exclude each other")
    return found


@click.command("galaxy-test-connection")
@connection_options()
@as_json
def galaxy_test_connection(options: ClientOptions, as_json: bool) -> int:
    """See whether the gateway reaches the Galaxy's database; exits with 1 when it does not."""
    ok = with_galaxy(options, lambda galaxy: galaxy.test_connection())
    show_reply({"ok": ok}, "ok" if ok else [], as_json=as_json)
    if not ok:
        say(f"error: the gateway at {options.address} does not reach the Galaxy's database")
        return FAILED
    return 0


@click.command("galaxy-last-deploy")
@connection_options()
@as_json
def galaxy_last_deploy(options: ClientOptions, as_json: bool) -> None:
    """Show when the Galaxy was last deployed."""
    moment = with_galaxy(options, lambda galaxy: galaxy.get_last_deploy_time())
    data = {"present": moment is not None, "timeOfLastDeploy": moment}
    show_reply(data, "never deployed" if moment is None else moment.isoformat(), as_json=as_json)


@click.command("galaxy-discover")
@connection_options()
@_filters("root")
@click.option("--max-depth", type=click.IntRange(0, INT32_MAX), metavar="N", help="Levels below; 0 is the root alone.")
@click.option("--ndjson", is_flag=True, help="One line of JSON per object, as it comes.")
@as_json
def galaxy_discover(options: ClientOptions, ndjson: bool, as_json: bool, **filters: Any) -> None:
    """List the objects of the Galaxy, or those below one.

    With --json the list is of one deploy, and held in memory; otherwise each object is shown as it comes.
    """
    if as_json and ndjson:
        raise click.UsageError("--json and --ndjson exclude each other")
    given = _given(filters, "root")

    async def work(galaxy: GalaxyRepositoryClient) -> None:
        if as_json:
            objects = await galaxy.discover_hierarchy(**given)
            show_json({"objectCount": len(objects), "objects": objects})
            return
        async for item in galaxy.iter_hierarchy(**given):
            if ndjson:
                show_json(item)
            else:
                show(object_line(item))

    with_galaxy(options, work)


@click.command("galaxy-browse")
@connection_options()
@_filters("parent")
@as_json
def galaxy_browse(options: ClientOptions, as_json: bool, **filters: Any) -> None:
    """List one level of the Galaxy: the children of an object, or the objects at the top."""
    given = _given(filters, "parent")
    reply = with_galaxy(options, lambda galaxy: _children(galaxy, given))
    pairs = zip(reply.children, reply.child_has_children, strict=False)
    lines = [f"{'+' if more else ' '} {object_line(child)}" for child, more in pairs]
    show_reply(reply, lines or "no children", as_json=as_json)


async def _children(galaxy: GalaxyRepositoryClient, given: dict[str, Any]) -> pb.BrowseChildrenReply:
    """All pages as one."""
    from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb

    whole = pb.BrowseChildrenReply()
    token = ""
    while True:
        page = await galaxy.browse_children(**given, page_token=token)
        # Repeated fields are joined, the others are those of the last page.
        whole.MergeFrom(page)
        token = page.next_page_token
        if not token:
            whole.ClearField("next_page_token")
            return whole


@click.command("galaxy-watch")
@connection_options()
@stream_options("--max-events")
@click.option("--last-seen-deploy-time", type=TIME, metavar="TIME", help="Leave out this deploy, known already.")
def galaxy_watch(options: ClientOptions, bounds: Bounds, last_seen_deploy_time: datetime | None) -> None:
    """Show the present deploy, then each as it happens.

    With --json the events come at the end, in one object: after 30 s, or 10000 events, or earlier as --timeout and
    --max-events say. Otherwise each is shown as it comes.
    """

    async def work(galaxy: GalaxyRepositoryClient) -> None:
        async with galaxy.watch_deploy_events(last_seen_deploy_time, timeout=bounds.timeout) as stream:
            await collect(stream, bounds, deploy_line, "events", {})

    with_galaxy(options, work)
