using System.Globalization;

namespace Streaming.Benchmarks;

/// <summary>A Markdown table, written row by row during measurement.</summary>
internal sealed class Table
{
    private readonly TextWriter _output;

    public Table(TextWriter output, params string[] columns)
    {
        _output = output;
        output.WriteLine();
        Write(columns);
        Write([.. columns.Select(_ => "---")]);
    }

    /// <summary>Writes a row; numbers use a decimal point in any locale.</summary>
    public void Row(params FormattableString[] cells) => Write([.. cells.Select(cell => cell.ToString(CultureInfo.InvariantCulture))]);

    private void Write(string[] cells)
    {
        _output.WriteLine($"| {string.Join(" | ", cells)} |");
        _output.Flush();
    }
}
