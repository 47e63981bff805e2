namespace Streaming.Models.State;

/// <summary>Element type of a stored tensor, by its safetensors name.</summary>
public enum TensorType
{
    /// <summary>32-bit float.</summary>
    F32,

    /// <summary>64-bit float.</summary>
    F64,

    /// <summary>32-bit signed integer.</summary>
    I32,

    /// <summary>64-bit signed integer.</summary>
    I64,

    /// <summary>64-bit unsigned integer.</summary>
    U64,

    /// <summary>Byte.</summary>
    U8,
}

/// <summary>Name, type and shape of a tensor.</summary>
/// <param name="Name">Dotted path: "tower.block0.lru.nu_log", "items.embedding", "items.embedding.adam_m", "bank.vectors".</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions, outermost first; row-major.</param>
public sealed record TensorInfo(string Name, TensorType Type, IReadOnlyList<long> Shape);

/// <summary>Named tensors that can be read: a checkpoint file, or a live snapshot of an engine.</summary>
public abstract class TensorSource : IDisposable
{
    /// <summary>Gets all tensors, in the order in which they are stored.</summary>
    public abstract IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>Copies a part of a tensor's bytes (little-endian, row-major).</summary>
    /// <param name="tensor">Index into <see cref="Tensors"/>.</param>
    /// <param name="byteOffset">Offset in the tensor.</param>
    /// <param name="destination">Filled completely.</param>
    public abstract void Read(int tensor, long byteOffset, Span<byte> destination);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the source's resources.</summary>
    protected abstract void Dispose(bool disposing);
}

/// <summary>State at one point in time, readable from another thread while training continues.</summary>
public abstract class TensorSnapshot : TensorSource
{
    /// <summary>
    /// Marks the first bytes of a tensor as not read again, so that changes there no longer need a copy. The result of reading
    /// them afterwards is undefined.
    /// </summary>
    /// <param name="tensor">Index into <see cref="TensorSource.Tensors"/>.</param>
    /// <param name="byteCount">Number of bytes.</param>
    public virtual void Release(int tensor, long byteCount) { }
}

/// <summary>A stored state does not match: the message names the tensor or setting, both shapes, and what to do.</summary>
public sealed class StateMismatchException(string message) : Exception(message);
