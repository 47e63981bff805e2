using System.CommandLine;
using Streaming.Worker.Failures;
using Streaming.Worker.Otlp;
using Streaming.Worker.Settings;

namespace Streaming.Worker.Commands;

/// <summary>The option --settings FILE of the commands that read settings.</summary>
public static class SettingsOption
{
    /// <summary>Creates the option.</summary>
    public static Option<string?> Create() =>
        new("--settings")
        {
            Description = "Settings file: NAME=value lines, or a JSON object. Environment variables take precedence.",
            HelpName = "FILE",
        };

    /// <summary>Reads the settings from the file and the environment of this process, which takes precedence.</summary>
    /// <exception cref="SettingsException">A setting is wrong; names each.</exception>
    public static SettingsValues Read(string? file) => WorkerSettings.Catalogue.Load([.. Layers(file, WorkerSettings.Catalogue)]);

    /// <summary>Reads the settings for a command that has no log: notices go to standard error.</summary>
    /// <exception cref="SettingsException">A setting is wrong; names each.</exception>
    public static SettingsValues ReadWithoutLog(string? file)
    {
        SettingsValues settings = Read(file);
        WriteNotices(settings);
        return settings;
    }

    /// <summary>Writes to standard error what users should know although nothing is wrong.</summary>
    public static void WriteNotices(SettingsValues settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        foreach (string notice in settings.Notices)
        {
            Console.Error.WriteLine("streaming: " + notice);
        }
    }

    /// <summary>The layers of a file, if one is named, and of the environment.</summary>
    public static IEnumerable<SettingsLayer> Layers(string? file, SettingsCatalogue catalogue)
    {
        Dictionary<string, string> environment = EnvironmentVariables.Read();
        yield return OtelVariables.Layer(environment);
        if (file is not null)
        {
            yield return SettingsFile.Read(file, catalogue);
        }

        yield return SettingsLayer.Environment(environment);
    }
}
