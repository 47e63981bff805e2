using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Softmax;

/// <summary>The result of a softmax.</summary>
/// <param name="Losses">[K] float64, on the device.</param>
/// <param name="UserGradient">[B × D] gradient of the total with respect to the user vectors; null unless asked for.</param>
/// <param name="CandidateGradient">[G × D] gradient of the total with respect to the own candidates; null unless asked for.</param>
internal sealed record SoftmaxResult(Tensor Losses, Tensor? UserGradient, Tensor? CandidateGradient);
