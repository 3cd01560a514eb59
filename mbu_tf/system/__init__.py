"""What the machine has a part in: files, signals, memory that runs out, Keras's backend."""
