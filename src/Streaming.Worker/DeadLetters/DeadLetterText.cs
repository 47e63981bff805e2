using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Streaming.Core.Events;
using Streaming.Transport.Kafka.DeadLetters;

namespace Streaming.Worker.DeadLetters;

/// <summary>
/// What `streaming dead-letters show` prints. Keys, values and headers come from anywhere: nothing in them reaches the terminal as a
/// control character.
/// </summary>
internal static class DeadLetterText
{
    private const int HexadecimalColumns = 16;

    /// <summary>Prints a dead letter.</summary>
    /// <param name="letter">It.</param>
    /// <param name="bytes">How many bytes of its key, its value and each header are shown.</param>
    /// <param name="output">Where to.</param>
    public static void Write(StoredDeadLetter letter, int bytes, TextWriter output)
    {
        output.WriteLine(FormattableString.Invariant($"[{letter.Partition}]@{letter.Offset}, {letter.Time:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}"));
        foreach ((string name, byte[] value) in letter.Headers)
        {
            Write($"header {ShortText.Line(name)}", value, bytes, output);
        }

        Write("key", letter.Key, bytes, output);
        Write("value", letter.Value, bytes, output);
    }

    private static void Write(string name, byte[]? value, int most, TextWriter output)
    {
        if (value is null)
        {
            output.WriteLine($"{name}: null");
            return;
        }

        ReadOnlySpan<byte> shown = value.AsSpan(0, Math.Min(value.Length, most));
        string rest =
            shown.Length < value.Length ? string.Create(CultureInfo.InvariantCulture, $", the first {shown.Length}") : string.Empty;
        if (TryText(shown, value.Length > most) is { } text)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} ({value.Length} bytes{rest}): {text}"));
            return;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} ({value.Length} bytes{rest}):"));
        for (int i = 0; i < shown.Length; i += HexadecimalColumns)
        {
            WriteRow(i, shown[i..Math.Min(i + HexadecimalColumns, shown.Length)], output);
        }
    }

    // The last character may be cut in two.
    private static string? TryText(ReadOnlySpan<byte> bytes, bool isCut)
    {
        for (int cut = 0; cut <= (isCut ? Math.Min(3, bytes.Length) : 0); cut++)
        {
            if (Utf8.IsValid(bytes[..^cut]))
            {
                string text = Encoding.UTF8.GetString(bytes[..^cut]);
                return text.EnumerateRunes().All(static rune => ShortText.IsPrintable(rune) || rune.Value is '\n' or '\r' or '\t')
                    ? text
                    : null;
            }
        }

        return null;
    }

    private static void WriteRow(int offset, ReadOnlySpan<byte> row, TextWriter output)
    {
        StringBuilder line = new StringBuilder().Append(CultureInfo.InvariantCulture, $"  {offset:x6} ");
        for (int i = 0; i < HexadecimalColumns; i++)
        {
            line.Append(i < row.Length ? string.Create(CultureInfo.InvariantCulture, $" {row[i]:x2}") : "   ");
        }

        line.Append("  ");
        foreach (byte value in row)
        {
            line.Append(value is >= 0x20 and < 0x7F ? (char)value : '.');
        }

        output.WriteLine(line.ToString());
    }
}
