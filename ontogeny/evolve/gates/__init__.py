"""Gate networks as candidates: genes, ways to fewer gates, classifiers of gates, soft gates."""
