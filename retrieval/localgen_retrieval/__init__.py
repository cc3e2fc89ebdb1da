"""localgen_retrieval: the catalog model, the encoder and the index behind `retrieve`. Imports nothing of ours."""
