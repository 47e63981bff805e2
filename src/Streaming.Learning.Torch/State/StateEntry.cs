using Streaming.Models.State;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.State;

/// <summary>A tensor of the engine's state.</summary>
/// <param name="Info">Name, type and shape in a checkpoint.</param>
/// <param name="Copy">Copies its values, as many as the shape requires, to a device, in the caller's dispose scope.</param>
internal sealed record StateEntry(TensorInfo Info, Func<Device, Tensor> Copy);
