using Streaming.Learning.Engine;
using Streaming.Learning.Torch.Batches;
using Streaming.Learning.Torch.State;
using Streaming.Models.Batches;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Passes;

/// <summary>From the item rows of a batch to user and candidate vectors, and back: torch's operations with autograd, or kernels.</summary>
/// <remarks>Holds what the last forward pass left; one backward pass may follow it, in the same dispose scope.</remarks>
internal interface IEncoderPass : IDisposable
{
    /// <summary>Copies a batch to the device, into the caller's dispose scope.</summary>
    DeviceBatch Upload(in TrainingBatch batch);

    /// <summary>Vectors of the predictions' users [B × D] and of the candidates [G × D].</summary>
    (Tensor Users, Tensor Candidates) Forward(DeviceBatch batch);

    /// <summary>Adds the gradients of the dense parameters.</summary>
    /// <param name="users">By the users.</param>
    /// <param name="candidates">By the candidates.</param>
    /// <returns>The gradients of the id embeddings; null without ids.</returns>
    RowGradients? Backward(Tensor users, Tensor candidates);

    /// <summary>All vectors of users after their last step [S × VectorsPerUser·D]. Call under <c>no_grad</c>.</summary>
    Tensor Encode(in JaggedRows sequences);
}
