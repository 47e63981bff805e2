using System.Text;

namespace Streaming.Worker.Commands;

/// <summary>
/// Standard output whose failure does not end the command: a full disk or a closed terminal is reported at the end, and output that is
/// closed from the start, as some service managers do, is not written to.
/// </summary>
internal sealed class StandardOutput : TextWriter
{
    private TextWriter? _inner;

    /// <summary>Opens it.</summary>
    public StandardOutput()
    {
        try
        {
            _inner = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false))
            {
                AutoFlush = true,
            };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Closed: nobody reads it.
        }
    }

    internal StandardOutput(TextWriter inner) => _inner = inner;

    /// <summary>Gets the first error; empty: none.</summary>
    public string Problem { get; private set; } = string.Empty;

    /// <inheritdoc/>
    public override Encoding Encoding => _inner?.Encoding ?? Encoding.UTF8;

    /// <inheritdoc/>
    public override void Write(char value) => Write([value]);

    /// <inheritdoc/>
    public override void Write(string? value) => Write(value.AsSpan());

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Write(value + CoreNewLine.AsSpan().ToString());

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer)
    {
        if (_inner is null || Problem.Length > 0)
        {
            return;
        }

        try
        {
            _inner.Write(buffer);
        }
        catch (UnauthorizedAccessException)
        {
            _inner = null; // Closed (EBADF).
        }
        catch (IOException exception)
        {
            Problem = exception.Message;
        }
    }

    /// <inheritdoc/>
    public override Task WriteAsync(string? value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task WriteLineAsync(string? value)
    {
        WriteLine(value);
        return Task.CompletedTask;
    }
}
