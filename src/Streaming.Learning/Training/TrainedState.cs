using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Training;

/// <summary>The state of a trainer, as stored in a checkpoint.</summary>
/// <param name="Path">Its path, for messages.</param>
/// <param name="Model">The model's options.</param>
/// <param name="Shape">The settings that determine the state's shape, by name.</param>
/// <param name="Counters">The trainer's counters.</param>
/// <param name="Step">Number of training steps.</param>
/// <param name="Engine">Parameters, optimiser state and memory bank.</param>
/// <param name="Trainer">The state outside the engine.</param>
public sealed record TrainedState(
    string Path,
    ModelOptions Model,
    IReadOnlyDictionary<string, string> Shape,
    TrainerCounters Counters,
    long Step,
    TensorSource Engine,
    TensorSource Trainer
);
