using System.CommandLine;
using Streaming.Worker.Failures;
using Streaming.Worker.Settings;

namespace Streaming.Worker.Commands;

/// <summary>`streaming config`: the effective settings.</summary>
internal static class ConfigCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var markdown = new Option<bool>("--markdown")
        {
            Description = "Print a reference of all settings as Markdown: deploy/SETTINGS.md.",
        };
        Option<string?> file = SettingsOption.Create();
        var command = new Command(
            "config",
            "Print the effective settings and the source of each, secrets hidden. Invalid settings are reported with exit code 78."
        )
        {
            file,
            markdown,
        };
        command.SetAction(result =>
        {
            Console.Out.Write(
                result.GetValue(markdown)
                    ? SettingsTable.Markdown(WorkerSettings.Catalogue)
                    : SettingsTable.Effective(SettingsOption.ReadWithoutLog(result.GetValue(file)))
            );
            return (int)ExitCode.Success;
        });
        return command;
    }
}
