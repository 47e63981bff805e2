namespace Streaming.Models.State;

/// <summary>A checked safetensors header.</summary>
/// <param name="Tensors">The tensors.</param>
/// <param name="Starts">Where each starts in the data.</param>
/// <param name="Metadata">Texts of the header.</param>
internal sealed record SafetensorsHeader(IReadOnlyList<TensorInfo> Tensors, long[] Starts, IReadOnlyDictionary<string, string> Metadata);
