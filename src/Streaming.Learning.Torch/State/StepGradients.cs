using Streaming.Learning.Torch.Softmax;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.State;

/// <summary>What a step has computed and not yet applied; the gradients of the dense parameters lie beside them.</summary>
/// <param name="Losses">[K] float64.</param>
/// <param name="IdGradients">[U × D] by the id embeddings of the step's items; null without ids.</param>
/// <param name="Positives">The positives as the bank will keep them.</param>
internal sealed record StepGradients(Tensor Losses, Tensor? IdGradients, CandidateBlock Positives);
