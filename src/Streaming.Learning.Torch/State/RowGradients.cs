using static TorchSharp.torch;

namespace Streaming.Learning.Torch.State;

/// <summary>Gradients of rows of the item table.</summary>
/// <param name="Rows">[n] int64, each once among the first <paramref name="Count"/>.</param>
/// <param name="Values">[n × D]; zeros after the first <paramref name="Count"/>.</param>
/// <param name="Count">Int32 scalar on the device: the number of rows, where the host does not know it; null: n.</param>
internal sealed record RowGradients(Tensor Rows, Tensor Values, Tensor? Count = null);
