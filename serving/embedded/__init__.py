"""A model server for one machine: LiteRT on the CPU, speaking the tensorflow/serving protocol."""
