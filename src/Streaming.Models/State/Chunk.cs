namespace Streaming.Models.State;

/// <summary>Whole sequences that are processed together while their activations are in cache.</summary>
/// <param name="FirstSequence">First sequence.</param>
/// <param name="SequenceCount">Number of sequences.</param>
/// <param name="FirstStep">First step of the first sequence.</param>
/// <param name="StepCount">Number of steps.</param>
/// <param name="FirstPrediction">First prediction within these steps.</param>
/// <param name="PredictionCount">Number of predictions.</param>
public readonly record struct Chunk(
    int FirstSequence,
    int SequenceCount,
    int FirstStep,
    int StepCount,
    int FirstPrediction,
    int PredictionCount
);
