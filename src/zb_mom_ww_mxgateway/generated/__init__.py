"""Protobuf and gRPC bindings of the gateway contract, written by generate_proto.py; never edited."""
