using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Towers;

/// <summary>Histories on the device, padded after their last step: a recurrence runs forward, so nothing that follows a prediction reaches it.</summary>
/// <param name="Items">[S·T × D] item vectors, the start vector first in each sequence.</param>
/// <param name="Steps">T, steps of the longest sequence.</param>
/// <param name="Predictions">[B] int64: rows of <paramref name="Items"/> where predictions stand.</param>
internal sealed record TowerInput(Tensor Items, long Steps, Tensor Predictions);
