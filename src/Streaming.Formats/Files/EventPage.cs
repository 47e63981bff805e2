using System.Text;

namespace Streaming.Formats.Files;

/// <summary>A page of packed events.</summary>
internal sealed class EventPage
{
    /// <summary>Events per page.</summary>
    public const int Capacity = 1 << 15;

    private readonly PackedNumbers _times;
    private readonly PackedNumbers _users;
    private readonly PackedNumbers _items;
    private readonly PackedNumbers _types;
    private readonly PackedNumbers _values;
    private readonly PackedNumbers _dwells;
    private readonly PackedNumbers _idEnds;
    private readonly byte[] _ids;

    private EventPage(Builder page)
    {
        int count = page.Count;
        _times = new PackedNumbers(page.Times.AsSpan(0, count));
        _users = new PackedNumbers(page.Users.AsSpan(0, count));
        _items = new PackedNumbers(page.Items.AsSpan(0, count));
        _types = new PackedNumbers(page.Types.AsSpan(0, count));
        _values = new PackedNumbers(page.Values.AsSpan(0, count));
        _dwells = new PackedNumbers(page.Dwells.AsSpan(0, count));
        _idEnds = new PackedNumbers(page.IdEnds.AsSpan(0, count));
        _ids = page.Ids.ToArray();
    }

    public long Time(int place) => _times[place];

    public int User(int place) => (int)_users[place];

    public int Item(int place) => (int)_items[place];

    public int Type(int place) => (int)_types[place];

    public double? Value(int place) => FromBits(_values[place]);

    public long? Dwell(int place) => _dwells[place] is >= 0 and var dwell ? dwell : null;

    /// <summary>An event's own id, or null.</summary>
    public string? Id(int place)
    {
        int start = place == 0 ? 0 : (int)_idEnds[place - 1];
        int end = (int)_idEnds[place];
        return end == start ? null : Encoding.UTF8.GetString(_ids.AsSpan(start, end - start));
    }

    private static double? FromBits(long bits) => BitConverter.Int64BitsToDouble(bits) is var value && double.IsNaN(value) ? null : value;

    /// <summary>A page under construction.</summary>
    public sealed class Builder
    {
        private static readonly long None = BitConverter.DoubleToInt64Bits(double.NaN);

        public int Count { get; private set; }

        public long[] Times { get; } = new long[Capacity];

        public long[] Users { get; } = new long[Capacity];

        public long[] Items { get; } = new long[Capacity];

        public long[] Types { get; } = new long[Capacity];

        public long[] Values { get; } = new long[Capacity];

        public long[] Dwells { get; } = new long[Capacity];

        public long[] IdEnds { get; } = new long[Capacity];

        public MemoryStream Ids { get; } = new();

        public bool IsFull => Count == Capacity;

        public void Add(long time, int user, int item, int type, ReadOnlySpan<byte> id, double? value, long? dwell)
        {
            Times[Count] = time;
            Users[Count] = user;
            Items[Count] = item;
            Types[Count] = type;
            Values[Count] = value is { } number ? BitConverter.DoubleToInt64Bits(number) : None;
            Dwells[Count] = dwell ?? -1;
            Ids.Write(id);
            IdEnds[Count] = Ids.Length;
            Count++;
        }

        /// <summary>Packs the events.</summary>
        public EventPage Pack() => new(this);

        /// <summary>Clears the builder.</summary>
        public void Clear()
        {
            Count = 0;
            Ids.SetLength(0);
        }
    }
}
