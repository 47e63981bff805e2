using System.Diagnostics.CodeAnalysis;

namespace Streaming.Core.Embeddings;

/// <summary>How one number of an embedding is stored.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "These are the names of the contract.")]
public enum EmbeddingElement : byte
{
    /// <summary>IEEE 754 binary32: 4 bytes, exact.</summary>
    Float32 = 0,

    /// <summary>IEEE 754 binary16: 2 bytes, relative error up to 2⁻¹¹.</summary>
    Float16 = 1,

    /// <summary>Signed byte times a scale of the item: 1 byte, absolute error up to max|x| / 254.</summary>
    Int8 = 2,
}
