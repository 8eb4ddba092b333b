"""Other programs follow a training by its files: TensorBoard, MLflow, Weights & Biases."""
