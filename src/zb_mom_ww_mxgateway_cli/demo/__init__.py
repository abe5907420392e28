"""The parts of `mxgw-py demo`: a gateway of its own, the choice of tags, the recording, the report and its files."""
