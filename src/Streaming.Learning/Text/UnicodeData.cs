using System.Collections.Frozen;
using System.Globalization;

namespace Streaming.Learning.Text;

/// <summary>
/// Tables of one version of Unicode (unicode.txt). Those of the runtime change with it, and without ICU it normalizes nothing, without
/// saying so: the same text would get other features on another machine.
/// </summary>
internal sealed class UnicodeData
{
    private const int HangulBase = 0xAC00;
    private const int HangulCount = 11_172;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TailBase = 0x11A7;
    private const int Vowels = 21;
    private const int Tails = 28;
    private static readonly Lazy<UnicodeData> Loaded = new(static () => new UnicodeData());

    private readonly Dictionary<int, int[]> _folds = [];
    private readonly Dictionary<(int, int), int> _pairs = [];
    private readonly Dictionary<int, (int, int)> _parts = [];
    private readonly FrozenDictionary<int, byte> _classes;
    private readonly List<(int First, int Last)> _words = [];
    private readonly List<(int First, int Last)> _dropped = [];

    private UnicodeData()
    {
        var classes = new Dictionary<int, byte>();
        using Stream resource = typeof(UnicodeData).Assembly.GetManifestResourceStream("unicode.txt")!;
        using var lines = new StreamReader(resource);
        while (lines.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
            {
                continue;
            }

            string[] parts = line.Split(' ');
            int[] numbers = [.. parts.Skip(1).Select(static part => int.Parse(part, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            switch (parts[0])
            {
                case "word":
                    _words.Add((numbers[0], numbers[1]));
                    break;
                case "drop":
                    _dropped.Add((numbers[0], numbers[1]));
                    break;
                case "map":
                    _folds[numbers[0]] = numbers[1..];
                    break;
                case "pair":
                    _pairs[(numbers[0], numbers[1])] = numbers[2];
                    _parts[numbers[2]] = (numbers[0], numbers[1]);
                    break;
                case "class":
                    for (int point = numbers[0]; point <= numbers[1]; point++)
                    {
                        classes[point] = (byte)numbers[2];
                    }

                    break;
                default:
                    throw new InvalidDataException($"unicode.txt has an unknown line '{line}'.");
            }
        }

        _classes = classes.ToFrozenDictionary();
    }

    /// <summary>Gets the tables, read at the first use.</summary>
    public static UnicodeData Instance => Loaded.Value;

    /// <summary>Gets what NFKC_Casefold makes of a code point, canonically decomposed: empty if it is removed, null if it stays.</summary>
    public int[]? Fold(int point) =>
        _folds.TryGetValue(point, out int[]? fold) ? fold
        : Contains(_dropped, point) ? []
        : null;

    /// <summary>Gets the canonical combining class: 0 for a starter.</summary>
    public int ClassOf(int point) => _classes.GetValueOrDefault(point);

    /// <summary>Gets the primary composite of two code points.</summary>
    public bool TryCompose(int first, int second, out int composed) => _pairs.TryGetValue((first, second), out composed);

    /// <summary>Gets the two code points of a primary composite, Hangul syllables included.</summary>
    public bool TryDecompose(int composed, out int first, out int second)
    {
        int syllable = composed - HangulBase;
        if (syllable is >= 0 and < HangulCount)
        {
            int tail = syllable % Tails;
            first = tail > 0 ? composed - tail : LeadBase + (syllable / (Vowels * Tails));
            second = tail > 0 ? TailBase + tail : VowelBase + (syllable / Tails % Vowels);
            return true;
        }

        bool isComposed = _parts.TryGetValue(composed, out (int First, int Second) parts);
        (first, second) = parts;
        return isComposed;
    }

    /// <summary>Whether a code point belongs to words: a letter, a mark or a number.</summary>
    public bool IsWord(int point) => Contains(_words, point);

    private static bool Contains(List<(int First, int Last)> ranges, int point)
    {
        int low = 0;
        int high = ranges.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (point < ranges[middle].First)
            {
                high = middle - 1;
            }
            else if (point > ranges[middle].Last)
            {
                low = middle + 1;
            }
            else
            {
                return true;
            }
        }

        return false;
    }
}
