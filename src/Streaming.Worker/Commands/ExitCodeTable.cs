using System.Globalization;
using System.Text;
using Streaming.Worker.Failures;
using Streaming.Worker.Settings;

namespace Streaming.Worker.Commands;

/// <summary>The table of exit codes in deploy/README.md.</summary>
internal static class ExitCodeTable
{
    /// <summary>The table in Markdown.</summary>
    public static string Markdown()
    {
        var text = new StringBuilder("| code | meaning |\n|---|---|\n");
        foreach (ExitCode code in Enum.GetValues<ExitCode>())
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {(int)code} | {XmlDocumentation.Summary(typeof(ExitCode).GetField(code.ToString())!)} |\n"
            );
        }

        return text.ToString();
    }
}
