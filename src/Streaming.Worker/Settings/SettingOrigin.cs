namespace Streaming.Worker.Settings;

/// <summary>Where a value comes from; a later one replaces an earlier one.</summary>
public enum SettingOrigin
{
    /// <summary>Nobody set it.</summary>
    Default,

    /// <summary>A preset.</summary>
    Preset,

    /// <summary>The variables of OpenTelemetry in the environment.</summary>
    OpenTelemetry,

    /// <summary>The file of --settings.</summary>
    File,

    /// <summary>The environment.</summary>
    Environment,

    /// <summary>An option of the command line.</summary>
    CommandLine,
}
