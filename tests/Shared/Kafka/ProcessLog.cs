using System.Diagnostics;
using System.Text;

namespace Streaming.Tests.Kafka;

/// <summary>The newest output of a process, both streams.</summary>
internal sealed class ProcessLog
{
    private const int Most = 200_000;
    private readonly StringBuilder _text = new();

    /// <summary>Gets the retained output.</summary>
    public string Text
    {
        get
        {
            lock (_text)
            {
                return _text.ToString();
            }
        }
    }

    /// <summary>Starts reading from a process with both streams redirected.</summary>
    public void Follow(Process process)
    {
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private void Add(string? line)
    {
        lock (_text)
        {
            _text.AppendLine(line);
            if (_text.Length > Most)
            {
                _text.Remove(0, Most / 2);
            }
        }
    }
}
