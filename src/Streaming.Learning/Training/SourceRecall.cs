namespace Streaming.Learning.Training;

/// <summary>Metrics of a method evaluated next to the model.</summary>
/// <param name="Name">Its name: "item-knn", "markov", "knn+markov", "own-latest", "counts", "fused 128".</param>
/// <param name="Recall">Its metrics over the last examples.</param>
public readonly record struct SourceRecall(string Name, SegmentRecall Recall);
