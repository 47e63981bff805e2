using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Towers;

/// <summary>Histories on the device, padded after their last step: recurrences run forward, so padding never reaches a
/// prediction.</summary>
/// <param name="Items">[S·T × D] item vectors; each sequence starts with the start vector.</param>
/// <param name="Steps">T, steps of the longest sequence.</param>
/// <param name="Predictions">[B] int64: rows of <paramref name="Items"/> of the predictions.</param>
internal sealed record TowerInput(Tensor Items, long Steps, Tensor Predictions);
