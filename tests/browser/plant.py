"""Cells that build the widgets over an embedded gateway."""

PLANT = """
import json
from zb_mom_ww_mxgateway import ClientOptions
from zb_mom_ww_mxgateway.notebook.galaxy_source import AsyncGalaxyTree
from zb_mom_ww_mxgateway.notebook.portal import portal
from zb_mom_ww_mxgateway.notebook.tag_writer import AsyncTagWriter
from zb_mom_ww_mxgateway.notebook.tree import open_tree
from zb_mom_ww_mxgateway.notebook.workbench import Workbench
from zb_mom_ww_mxgateway.notebook.write_form import WriteForm
from zb_mom_ww_mxgateway.simulator import SimulatedGateway

gateway = SimulatedGateway(seed=5, objects=300)
gateway.start()
call = portal().call
options = ClientOptions(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
bench = call(Workbench.open(options, None))
source = AsyncGalaxyTree(bench.galaxy, call)
writer = AsyncTagWriter(bench, call)
reader = AsyncTagWriter(bench, call, read_only_reason="this notebook was connected without allow_writes=True")
"""
#: Ends what `PLANT` has started.
END = "call(bench.close()); gateway.stop()"
