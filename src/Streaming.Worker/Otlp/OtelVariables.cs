using Streaming.Core.Options;
using Streaming.Worker.Settings;

namespace Streaming.Worker.Otlp;

/// <summary>
/// The environment variables of the OpenTelemetry specification, which platforms set for all their programs, as settings of this one.
/// Its own settings take precedence.
/// </summary>
/// <remarks>
/// In contrast to the specification nothing is sent unless an endpoint is named, and metrics alone unless OTEL_TRACES_EXPORTER or
/// OTEL_LOGS_EXPORTER is otlp.
/// </remarks>
internal static class OtelVariables
{
    private const string Prefix = "OTEL_";
    private const string ServiceName = "OTEL_SERVICE_NAME";
    private const string ResourceAttributes = "OTEL_RESOURCE_ATTRIBUTES";
    private const string TracesExporter = "OTEL_TRACES_EXPORTER";
    private const string Sampler = "OTEL_TRACES_SAMPLER";
    private const string SamplerArgument = "OTEL_TRACES_SAMPLER_ARG";

    private static readonly Dictionary<string, (string Property, Func<string, string> Convert)> Settings = new(StringComparer.Ordinal)
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = (nameof(TelemetryOptions.OtlpEndpoint), static text => text),
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = (
            nameof(TelemetryOptions.OtlpProtocol),
            static text => text.Replace("/", string.Empty, StringComparison.Ordinal)
        ),
        ["OTEL_EXPORTER_OTLP_HEADERS"] = (nameof(TelemetryOptions.OtlpHeaders), static text => text),
        [ServiceName] = (nameof(TelemetryOptions.ServiceName), static text => text),
        ["OTEL_METRIC_EXPORT_INTERVAL"] = (nameof(TelemetryOptions.Interval), static text => text + "ms"),
        ["OTEL_METRICS_EXPORTER"] = (nameof(TelemetryOptions.Metrics), IsOtlp),
        ["OTEL_LOGS_EXPORTER"] = (nameof(TelemetryOptions.Logs), IsOtlp),
    };

    // What OpenTelemetry's SDK reads itself.
    private static readonly string[] OfTheSdk =
    [
        ResourceAttributes,
        "OTEL_SDK_DISABLED",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "OTEL_EXPORTER_OTLP_CLIENT_",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "OTEL_METRIC_EXPORT_TIMEOUT",
        "OTEL_METRICS_EXEMPLAR_FILTER",
        "OTEL_ATTRIBUTE_",
        "OTEL_SPAN_",
        "OTEL_EVENT_",
        "OTEL_LINK_",
        "OTEL_LOGRECORD_",
        "OTEL_BSP_",
        "OTEL_BLRP_",
        "OTEL_DOTNET_",
    ];

    /// <summary>The settings that they make. By the specification an empty one counts as not set.</summary>
    /// <param name="environment">All variables of the environment.</param>
    public static SettingsLayer Layer(IReadOnlyDictionary<string, string> environment)
    {
        var given = environment
            .Where(static pair => pair.Key.StartsWith(Prefix, StringComparison.Ordinal) && pair.Value.Length > 0)
            .ToDictionary(StringComparer.Ordinal);
        List<SettingInput> inputs = [];
        List<string> unused = [];
        foreach ((string name, string text) in given)
        {
            if (Settings.TryGetValue(name, out (string Property, Func<string, string> Convert) setting))
            {
                inputs.Add(Input(setting.Property, setting.Convert(text), name));
            }
            else if (name is not (TracesExporter or Sampler or SamplerArgument) && !IsOfTheSdk(name))
            {
                unused.Add(name);
            }
        }

        if (!given.ContainsKey(ServiceName) && NameAmong(given.GetValueOrDefault(ResourceAttributes, string.Empty)) is { } service)
        {
            inputs.Add(Input(nameof(TelemetryOptions.ServiceName), service, ResourceAttributes));
        }

        List<string> faults = [];
        if (given.TryGetValue(TracesExporter, out string? exporter))
        {
            string share = exporter == "none" ? "0" : Share(given, faults);
            inputs.Add(Input(nameof(TelemetryOptions.TraceShare), exporter is "otlp" or "none" ? share : exporter, TracesExporter));
        }

        return new SettingsLayer(SettingOrigin.OpenTelemetry, inputs) { Faults = faults, Notices = Notices(given, unused) };
    }

    private static SettingInput Input(string property, string text, string variable) =>
        new($"{Setting.Prefix}Telemetry__{property}", text, variable);

    // "otlp" and "none" are what an exporter may be; another value stays as it is and is refused by the setting's own check.
    private static string IsOtlp(string text) => text is "otlp" or "none" ? (text == "otlp" ? "true" : "false") : text;

    private static string? NameAmong(string attributes) =>
        attributes
            .Split(',')
            .Select(static pair => pair.Split('=', 2, StringSplitOptions.TrimEntries))
            .LastOrDefault(static pair => pair is ["service.name", { Length: > 0 }])
            ?[1];

    private static bool IsOfTheSdk(string name) => OfTheSdk.Any(known => name.StartsWith(known, StringComparison.Ordinal));

    private static string Share(Dictionary<string, string> given, List<string> faults)
    {
        string sampler = given.GetValueOrDefault(Sampler, "parentbased_always_on");
        switch (sampler)
        {
            case "always_on" or "parentbased_always_on":
                return "1";
            case "always_off" or "parentbased_always_off":
                return "0";
            case "traceidratio" or "parentbased_traceidratio":
                return given.GetValueOrDefault(SamplerArgument, "1");
            default:
                const string allowed =
                    "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or parentbased_traceidratio";
                faults.Add(new SettingError(Sampler, OptionText.Show(sampler), allowed).ToString());
                return "0";
        }
    }

    private static List<string> Notices(Dictionary<string, string> given, List<string> unused)
    {
        List<string> notices = [];
        if (unused.Count > 0)
        {
            unused.Sort(StringComparer.Ordinal);
            notices.Add($"Not used by this program: {string.Join(", ", unused)}");
        }

        if (given.TryGetValue("OTEL_SDK_DISABLED", out string? disabled) && disabled.Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            notices.Add("OTEL_SDK_DISABLED is true: no metrics, traces or logs are sent to a collector");
        }

        return notices;
    }
}
