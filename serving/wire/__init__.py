"""The part of the tensorflow/serving protocol that we speak, as protobuf messages and gRPC stubs.

Packages, field names and numbers are those of tensorflow/serving; what neither side uses is left out.
Everything here but the .proto files is generated (``make protos``).
"""
