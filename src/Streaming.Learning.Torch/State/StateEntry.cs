using static TorchSharp.torch;

namespace Streaming.Learning.Torch;

/// <summary>A tensor of the engine's state.</summary>
/// <param name="Info">Name, type and shape in a checkpoint.</param>
/// <param name="Values">Gives its values, on any device, as many as the shape says; called only when they are wanted.</param>
internal sealed record StateEntry(TensorInfo Info, Func<Tensor> Values);
