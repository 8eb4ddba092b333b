"""Several machines that train one network: who leads, who follows, what they say."""
