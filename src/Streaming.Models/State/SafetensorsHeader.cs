namespace Streaming.Models.State;

/// <summary>A validated safetensors header.</summary>
/// <param name="Tensors">The tensors.</param>
/// <param name="Starts">Offset of each in the data.</param>
/// <param name="Metadata">The header's metadata.</param>
internal sealed record SafetensorsHeader(IReadOnlyList<TensorInfo> Tensors, long[] Starts, IReadOnlyDictionary<string, string> Metadata);
