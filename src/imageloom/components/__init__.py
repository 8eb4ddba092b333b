"""All components: typed ports around functions of the learning code, one file each."""
