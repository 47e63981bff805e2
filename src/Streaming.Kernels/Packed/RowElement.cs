using System.Diagnostics.CodeAnalysis;

namespace Streaming.Kernels.Packed;

/// <summary>The element type of packed rows.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "The names of the embeddings' contract.")]
public enum RowElement : byte
{
    /// <summary>IEEE 754 binary32.</summary>
    Float32,

    /// <summary>IEEE 754 binary16.</summary>
    Float16,

    /// <summary>A signed byte, −127 … 127, times a scale of the row.</summary>
    Int8,
}
