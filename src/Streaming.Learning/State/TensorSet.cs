using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Streaming.Learning;

/// <summary>
/// Copies of arrays as of one moment, as named tensors. The copies' memory is kept and used again by the next snapshot
/// of the same shape, so a snapshot costs a memory copy and no allocation.
/// </summary>
internal sealed class TensorSet : TensorSnapshot
{
    private readonly Dictionary<string, Entry> _pool = new(StringComparer.Ordinal);
    private readonly List<Entry> _entries = [];
    private List<TensorInfo>? _tensors;

    /// <inheritdoc/>
    /// <remarks>The first reading turns strings into bytes; it may happen on another thread than the copying.</remarks>
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

    /// <summary>Forgets all tensors; their memory stays for the next.</summary>
    public void Clear()
    {
        _entries.Clear();
        _tensors = null;
    }

    /// <summary>Adds a copy of an array as a tensor of one dimension.</summary>
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

    /// <summary>Adds strings as two tensors: NAME.offsets and NAME.bytes (UTF-8); null reads back as null.</summary>
    public void AddStrings(string name, ReadOnlySpan<string?> values)
    {
        ValueEntry<long> offsets = Pooled(name + ".offsets", static name => new ValueEntry<long>(name));
        StringEntry bytes = Pooled(name + ".bytes", static name => new StringEntry(name));
        bytes.Keep(values, offsets);
        _entries.Add(offsets);
        _entries.Add(bytes);
    }

    /// <inheritdoc/>
    public override void Read(int tensor, long byteOffset, Span<byte> destination) => _entries[tensor].Read(byteOffset, destination);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => Clear();

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

        public virtual void Complete()
        {
        }
    }

    private class ValueEntry<T>(string name) : Entry
        where T : unmanaged
    {
        private T[] _values = [];
        private int _count;

        public override TensorInfo Info => new(name, TensorTypes.Of<T>(), [_count]);

        public void Copy(ReadOnlySpan<T> values)
        {
            // Not ArrayPool: these are large, few, and of the same size each time.
            if (_values.Length < values.Length)
            {
                _values = GC.AllocateUninitializedArray<T>(values.Length);
            }

            values.CopyTo(_values);
            _count = values.Length;
        }

        public override void Read(long byteOffset, Span<byte> destination)
        {
            int size = Unsafe.SizeOf<T>();
            int first = checked((int)(byteOffset / size));
            int skip = (int)(byteOffset % size);
            int elements = (skip + destination.Length + size - 1) / size;
            MemoryMarshal.AsBytes(_values.AsSpan(0, _count).Slice(first, elements)).Slice(skip, destination.Length).CopyTo(destination);
        }
    }

    private sealed class StringEntry(string name) : ValueEntry<byte>(name)
    {
        private string?[] _strings = [];
        private int _stringCount;
        private ValueEntry<long>? _offsets;

        /// <summary>Keeps the references: strings do not change, so turning them into bytes can wait.</summary>
        public void Keep(ReadOnlySpan<string?> values, ValueEntry<long> offsets)
        {
            if (_strings.Length < values.Length)
            {
                _strings = new string?[values.Length];
            }

            values.CopyTo(_strings);
            _stringCount = values.Length;
            _offsets = offsets;
        }

        /// <summary>Offsets are stored as end positions, negated and less one for null.</summary>
        public override void Complete()
        {
            if (_offsets is null)
            {
                return;
            }

            var ends = new long[_stringCount];
            var bytes = new List<byte>(_stringCount * 16);
            for (int i = 0; i < _stringCount; i++)
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(_strings[i] ?? string.Empty));
                ends[i] = _strings[i] is null ? -bytes.Count - 1 : bytes.Count;
            }

            _offsets.Copy(ends);
            Copy(CollectionsMarshal.AsSpan(bytes));
            _offsets = null;
        }
    }
}
