using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Streaming.Models.State;

/// <summary>
/// Arrays at one point in time, as named tensors: small ones are copied, large ones shared by page. The next snapshot of the
/// same shape reuses the copies' memory.
/// </summary>
public sealed class TensorSet : TensorSnapshot
{
    private readonly Dictionary<string, Entry> _pool = new(StringComparer.Ordinal);
    private readonly List<Entry> _entries = [];
    private List<TensorInfo>? _tensors;

    /// <inheritdoc/>
    /// <remarks>The first read converts strings to bytes; it may happen on another thread than the copying.</remarks>
    public override IReadOnlyList<TensorInfo> Tensors
    {
        get
        {
            if (_tensors is null)
            {
                _entries.ForEach(entry => entry.Complete());
                _tensors = [.. _entries.Select(entry => entry.Info)];
            }

            return _tensors;
        }
    }

    /// <summary>Clears all tensors; the next snapshot reuses their memory.</summary>
    public void Clear()
    {
        _entries.ForEach(entry => entry.End());
        _entries.Clear();
        _tensors = null;
    }

    /// <summary>Adds a copy of an array as a one-dimensional tensor.</summary>
    public void Add<T>(string name, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        ValueEntry<T> entry = Pooled(name, static name => new ValueEntry<T>(name));
        entry.Copy(values);
        _entries.Add(entry);
    }

    /// <summary>Adds one value.</summary>
    public void AddValue<T>(string name, T value)
        where T : unmanaged => Add(name, new ReadOnlySpan<T>(in value));

    /// <summary>Adds the beginning of an array at its current values, without copying it, as a one-dimensional tensor.</summary>
    public void Share<T>(string name, PagedArray<T> values, int count)
        where T : unmanaged
    {
        var tensor = StateTensor.Share(name, values, count);
        tensor.Begin();
        _entries.Add(new SharedEntry(tensor));
    }

    /// <summary>Adds a whole array at its current values, without copying it, as a one-dimensional tensor.</summary>
    public void Share<T>(string name, PagedArray<T> values)
        where T : unmanaged => Share(name, values, values.Length);

    /// <summary>Adds strings at their current values as two tensors: NAME.offsets and NAME.bytes (UTF-8); null reads back as
    /// null.</summary>
    public void ShareStrings(string name, PagedArray<string?> values)
    {
        values.BeginSnapshot(0, values.Length);
        Pair(name).Share(values);
    }

    /// <summary>Adds strings as two tensors: NAME.offsets and NAME.bytes (UTF-8); null reads back as null.</summary>
    public void AddStrings(string name, ReadOnlySpan<string?> values)
    {
        Pair(name).Keep(values.ToArray());
    }

    /// <inheritdoc/>
    public override void Read(int tensor, long byteOffset, Span<byte> destination) => _entries[tensor].Read(byteOffset, destination);

    /// <inheritdoc/>
    public override void Release(int tensor, long byteCount) => _entries[tensor].Release(byteCount);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => Clear();

    private StringEntry Pair(string name)
    {
        ValueEntry<long> offsets = Pooled(name + ".offsets", static name => new ValueEntry<long>(name));
        StringEntry bytes = Pooled(name + ".bytes", static name => new StringEntry(name));
        bytes.CompletesInto(offsets);
        _entries.Add(offsets);
        _entries.Add(bytes);
        return bytes;
    }

    private TEntry Pooled<TEntry>(string name, Func<string, TEntry> create)
        where TEntry : Entry
    {
        if (!_pool.TryGetValue(name, out Entry? entry) || entry is not TEntry typed)
        {
            typed = create(name);
            _pool[name] = typed;
        }

        return typed;
    }

    private abstract class Entry
    {
        public abstract TensorInfo Info { get; }

        public abstract void Read(long byteOffset, Span<byte> destination);

        public virtual void Release(long byteCount) { }

        public virtual void Complete() { }

        public virtual void End() { }
    }

    private sealed class SharedEntry(StateTensor tensor) : Entry
    {
        public override TensorInfo Info => tensor.Info;

        public override void Read(long byteOffset, Span<byte> destination) => tensor.Read(byteOffset, destination);

        public override void Release(long byteCount) => tensor.Release(byteCount);

        public override void End() => tensor.End();
    }

    private class ValueEntry<T>(string name) : Entry
        where T : unmanaged
    {
        private T[] _values = [];
        private int _count;

        public override TensorInfo Info => new(name, TensorTypes.Of<T>(), [_count]);

        public void Copy(ReadOnlySpan<T> values) => values.CopyTo(Renew(values.Length));

        public override void Read(long byteOffset, Span<byte> destination)
        {
            int size = Unsafe.SizeOf<T>();
            int first = checked((int)(byteOffset / size));
            int skip = (int)(byteOffset % size);
            int elements = (skip + destination.Length + size - 1) / size;
            MemoryMarshal.AsBytes(_values.AsSpan(0, _count).Slice(first, elements)).Slice(skip, destination.Length).CopyTo(destination);
        }

        /// <summary>Provides room for the given number of values; the old ones are lost.</summary>
        protected internal Span<T> Renew(int count)
        {
            // Not ArrayPool: these have the same size each time.
            if (_values.Length < count)
            {
                _values = GC.AllocateUninitializedArray<T>(count);
            }

            _count = count;
            return _values.AsSpan(0, count);
        }
    }

    private sealed class StringEntry(string name) : ValueEntry<byte>(name)
    {
        private PagedArray<string?>? _shared;
        private string?[] _strings = [];
        private ValueEntry<long>? _offsets;

        public void CompletesInto(ValueEntry<long> offsets) => _offsets = offsets;

        public void Keep(string?[] strings) => _strings = strings;

        public void Share(PagedArray<string?> strings) => _shared = strings;

        /// <summary>Offsets are stored as end positions, or −(end) − 1 for null.</summary>
        public override void Complete()
        {
            if (_offsets is null)
            {
                return;
            }

            if (_shared is not null)
            {
                // Strings are immutable: once the references are copied, the array's old values are no longer needed.
                _strings = new string?[_shared.Length];
                _shared.ReadSnapshot(0, _strings);
                EndSharing();
            }

            Span<byte> bytes = Renew(_strings.Sum(static text => text is null ? 0 : Encoding.UTF8.GetByteCount(text)));
            Span<long> ends = _offsets.Renew(_strings.Length);
            int end = 0;
            for (int i = 0; i < _strings.Length; i++)
            {
                end += _strings[i] is { } text ? Encoding.UTF8.GetBytes(text, bytes[end..]) : 0;
                ends[i] = _strings[i] is null ? -end - 1 : end;
            }

            _strings = [];
            _offsets = null;
        }

        public override void End()
        {
            EndSharing();
            _strings = [];
            _offsets = null;
        }

        private void EndSharing()
        {
            _shared?.EndSnapshot();
            _shared = null;
        }
    }
}
