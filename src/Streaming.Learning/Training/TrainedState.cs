using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Training;

/// <summary>The state of a trainer, as a checkpoint holds it.</summary>
/// <param name="Path">Where it lies, for messages.</param>
/// <param name="Model">The model's options.</param>
/// <param name="Shape">The settings that the state's shape depends on, by name.</param>
/// <param name="Counters">What the trainer had counted.</param>
/// <param name="Step">Steps of training.</param>
/// <param name="Engine">Parameters, optimiser state and memory bank.</param>
/// <param name="Trainer">The state above the engine.</param>
public sealed record TrainedState(
    string Path, ModelOptions Model, IReadOnlyDictionary<string, string> Shape, TrainerCounters Counters, long Step, TensorSource Engine, TensorSource Trainer);
