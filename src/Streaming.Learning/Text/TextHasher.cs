using System.Text;
using Streaming.Core.Hashing;
using Streaming.Core.Items;
using Streaming.Models.Options;

namespace Streaming.Learning.Text;

/// <summary>
/// Makes the values of a hashed feature group from the text fields of a catalogue record: a function of the record alone, so that live
/// training, replays and backtests agree bit for bit. A change of the result needs a new <see cref="FeatureGroup.CurrentScheme"/>.
/// </summary>
/// <remarks>
/// Tokens: each different word of the text fields, with its n-grams of 3 to 5 characters, &lt; and &gt; at its ends (Bojanowski et al.
/// 2017), which together weigh as much as the word; each different value of the category fields. The time is bounded by the limits of
/// a record; buffers are kept, and grow to the longest text.
/// </remarks>
/// <param name="group">The group.</param>
internal sealed class TextHasher(FeatureGroup group)
{
    private const ulong WordSeed = 1;
    private const ulong GramSeed = 2;
    private const ulong CategorySeed = 3;
    private const int ShortestGram = 3;
    private const int LongestGram = 5;

    private readonly FoldedText _folded = new();
    private readonly HashSet<ulong> _seen = [];
    private readonly byte[][] _prefixes = [.. group.Fields.Select(static field => Encoding.UTF8.GetBytes(field.Name + '\0'))];
    private byte[] _bytes = new byte[256];
    private int[] _starts = new int[256];

    /// <summary>Makes the values.</summary>
    /// <param name="text">The record's text fields.</param>
    /// <param name="values">[F]; overwritten: a vector of length 1, or zeros.</param>
    /// <returns>False if the record has no token for the group: the values are zeros.</returns>
    public bool Write(IReadOnlyDictionary<string, string> text, Span<float> values)
    {
        values.Clear();
        _seen.Clear();
        for (int i = 0; i < group.Fields.Count; i++)
        {
            TextField field = group.Fields[i];
            if (!text.TryGetValue(field.Name, out string? value))
            {
                continue;
            }

            _folded.Fold(value);
            if (field.IsCategory)
            {
                AddCategories(_prefixes[i], values);
            }
            else
            {
                AddWords(values);
            }
        }

        return Normalise(values);
    }

    private void AddWords(Span<float> values)
    {
        ReadOnlySpan<int> points = _folded.Points;
        for (int start = 0; start < points.Length; )
        {
            int end = start;
            while (end < points.Length && FoldedText.IsWord(points[end]))
            {
                end++;
            }

            if (end > start)
            {
                AddWord(points[start..end], values);
            }

            start = end + 1;
        }
    }

    private void AddWord(ReadOnlySpan<int> word, Span<float> values)
    {
        int count = Encode("<"u8, word);
        int length = _starts[count];
        _bytes[length++] = (byte)'>';
        _starts[++count] = length;
        ulong hash = XxHash64.Hash(_bytes.AsSpan(1, length - 2), WordSeed);
        if (!_seen.Add(hash))
        {
            return;
        }

        SignProjection.Add(hash, 1, values);
        int grams = 0;
        for (int n = ShortestGram; n <= LongestGram; n++)
        {
            grams += Math.Max(count - n + 1, 0);
        }

        float weight = 1 / MathF.Sqrt(grams);
        for (int n = ShortestGram; n <= LongestGram; n++)
        {
            for (int start = 0; start + n <= count; start++)
            {
                SignProjection.Add(XxHash64.Hash(_bytes.AsSpan(_starts[start].._starts[start + n]), GramSeed), weight, values);
            }
        }
    }

    private void AddCategories(ReadOnlySpan<byte> prefix, Span<float> values)
    {
        ReadOnlySpan<int> points = _folded.Points;
        foreach (Range part in points.Split(ItemChange.ListSeparator))
        {
            ReadOnlySpan<int> value = points[part].Trim(' ');
            if (!value.IsEmpty)
            {
                int count = Encode(prefix, value);
                ulong hash = XxHash64.Hash(_bytes.AsSpan(0, _starts[count]), CategorySeed);
                if (_seen.Add(hash))
                {
                    SignProjection.Add(hash, 1, values);
                }
            }
        }
    }

    /// <summary>Writes code points as UTF-8 after a prefix of bytes, and where each of both begins; the end follows.</summary>
    /// <returns>The number of starts before the end. There is room for one byte more.</returns>
    private int Encode(ReadOnlySpan<byte> prefix, ReadOnlySpan<int> points)
    {
        int most = prefix.Length + (4 * points.Length) + 1;
        if (_bytes.Length < most)
        {
            _bytes = new byte[2 * most];
            _starts = new int[2 * most];
        }

        prefix.CopyTo(_bytes);
        int length = prefix.Length;
        int count = 0;
        _starts[count++] = 0;
        foreach (int point in points)
        {
            _starts[count++] = length;
            length += new Rune(point).EncodeToUtf8(_bytes.AsSpan(length));
        }

        _starts[count] = length;
        return count;
    }

    // One number after the other: a vectorized sum would depend on the machine.
    private static bool Normalise(Span<float> values)
    {
        double sum = 0;
        foreach (float value in values)
        {
            sum += (double)value * value;
        }

        double norm = Math.Sqrt(sum);
        foreach (ref float value in values)
        {
            value = norm > 0 ? (float)(value / norm) : 0;
        }

        return norm > 0;
    }
}
