"""Pictures in Parquet files, as Hugging Face's datasets writes them."""
