"""Pictures: a layer's similarity matrices sorted by cluster, and how far the clusters of the measures agree."""
