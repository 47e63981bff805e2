using System.Text;

namespace Streaming.Learning.Text;

/// <summary>
/// A text by NFKC_Casefold (Unicode Standard, section 3.13): without differences of case, of compatibility forms and of composition,
/// and without invisible characters. One text at a time; allocates only to grow.
/// </summary>
internal sealed class FoldedText
{
    private const int HangulBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TailBase = 0x11A7;
    private const int Leads = 19;
    private const int Vowels = 21;
    private const int Tails = 28;

    private int[] _points = new int[256];
    private ulong[] _marks = [];
    private int _count;

    /// <summary>Gets the code points of the text that was folded last.</summary>
    public ReadOnlySpan<int> Points => _points.AsSpan(0, _count);

    /// <summary>Folds a text; a lone surrogate is the replacement character.</summary>
    public void Fold(ReadOnlySpan<char> text)
    {
        _count = 0;
        bool isAscii = true;
        foreach (Rune rune in text.EnumerateRunes())
        {
            isAscii &= rune.IsAscii;
            Fold(rune.Value);
        }

        if (!isAscii)
        {
            Order();
            Compose();
        }
    }

    /// <summary>Whether a code point belongs to words: a letter, a mark or a number.</summary>
    public static bool IsWord(int point) => point < 128 ? char.IsAsciiLetterOrDigit((char)point) : UnicodeData.Instance.IsWord(point);

    private void Fold(int point)
    {
        if (point < 128)
        {
            Add(point is >= 'A' and <= 'Z' ? point | 0x20 : point);
            return;
        }

        int syllable = point - HangulBase;
        if (syllable is >= 0 and < Leads * Vowels * Tails)
        {
            Add(LeadBase + (syllable / (Vowels * Tails)));
            Add(VowelBase + (syllable / Tails % Vowels));
            if (syllable % Tails > 0)
            {
                Add(TailBase + (syllable % Tails));
            }

            return;
        }

        int[]? fold = UnicodeData.Instance.Fold(point);
        if (fold is null)
        {
            Add(point);
            return;
        }

        foreach (int part in fold)
        {
            Add(part);
        }
    }

    private void Add(int point)
    {
        if (_count == _points.Length)
        {
            Array.Resize(ref _points, 2 * _count);
        }

        _points[_count++] = point;
    }

    /// <summary>Canonical ordering: the marks between two starters by class; those of one class keep their order.</summary>
    private void Order()
    {
        UnicodeData data = UnicodeData.Instance;
        if (_marks.Length < _count)
        {
            Array.Resize(ref _marks, _points.Length);
        }

        for (int start = 0; start < _count; start++)
        {
            int end = start;
            for (; end < _count && data.ClassOf(_points[end]) is > 0 and int rank; end++)
            {
                _marks[end] = ((ulong)rank << 56) | ((ulong)end << 24) | (uint)_points[end];
            }

            // A sort by keys that differ: the time for a text of marks alone must not grow with the square of its length.
            _marks.AsSpan(start, end - start).Sort();
            for (; start < end; start++)
            {
                _points[start] = (int)(_marks[start] & 0xFFFFFF);
            }
        }
    }

    /// <summary>Canonical composition (Unicode Standard, D117).</summary>
    private void Compose()
    {
        UnicodeData data = UnicodeData.Instance;
        int starter = -1;
        int last = -1; // class of the code point before, −1 right after the starter
        int end = 0;
        for (int i = 0; i < _count; i++)
        {
            int point = _points[i];
            int rank = data.ClassOf(point);
            if (starter >= 0 && last < rank && TryCompose(_points[starter], point, out int composed))
            {
                _points[starter] = composed;
                continue;
            }

            if (rank == 0)
            {
                starter = end;
            }

            last = rank == 0 ? -1 : rank;
            _points[end++] = point;
        }

        _count = end;
    }

    private static bool TryCompose(int first, int second, out int composed)
    {
        int lead = first - LeadBase;
        int vowel = second - VowelBase;
        if (lead is >= 0 and < Leads && vowel is >= 0 and < Vowels)
        {
            composed = HangulBase + (((lead * Vowels) + vowel) * Tails);
            return true;
        }

        int syllable = first - HangulBase;
        int tail = second - TailBase;
        if (syllable is >= 0 and < Leads * Vowels * Tails && syllable % Tails == 0 && tail is > 0 and < Tails)
        {
            composed = first + tail;
            return true;
        }

        return UnicodeData.Instance.TryCompose(first, second, out composed);
    }
}
