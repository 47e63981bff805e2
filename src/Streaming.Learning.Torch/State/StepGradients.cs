using Streaming.Learning.Torch.Softmax;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.State;

/// <summary>A step's computed but unapplied gradients; those of the dense parameters are stored with them.</summary>
/// <param name="Losses">[K] float64.</param>
/// <param name="Ids">With respect to the id embeddings of the step's items; null without ids.</param>
/// <param name="Positives">The positives in the form the bank stores.</param>
internal sealed record StepGradients(Tensor Losses, RowGradients? Ids, CandidateBlock Positives);
