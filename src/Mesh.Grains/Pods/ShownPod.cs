using System.Text.Json;
using Mesh.Core.Names;

namespace Mesh.Grains.Pods;

/// <summary>What a stored Pod shows of its place and its life, read in one pass over its document: every report is compared with it.</summary>
internal struct ShownPod
{
    private string? _statusIP;
    private string? _askedIP;

    public ShownPod()
    {
    }

    public string NodeName { get; private set; } = "";

    /// <summary>Of the status; empty while there is none.</summary>
    public readonly string StatusIP => _statusIP ?? "";

    /// <summary>Of the status, or as a manifest asks for it; null when the Pod has its node's.</summary>
    public readonly string? PodIP => _statusIP ?? _askedIP;

    /// <summary>Its phase is Succeeded or Failed: it shows no other status any more.</summary>
    public bool IsTerminal { get; private set; }

    /// <summary>Of the condition Ready: <c>True</c>, <c>False</c>, or empty when there is none.</summary>
    public string Ready { get; private set; } = "";

    public string Reason { get; private set; } = "";

    public string Message { get; private set; } = "";

    public static ShownPod Read(ReadOnlyMemory<byte> document)
    {
        var shown = new ShownPod();
        var reader = new Utf8JsonReader(document.Span);
        reader.Read();
        while (Next(ref reader))
        {
            var isMetadata = reader.ValueTextEquals("metadata"u8);
            var isSpec = reader.ValueTextEquals("spec"u8);
            var isStatus = reader.ValueTextEquals("status"u8);
            reader.Read();
            var isObject = reader.TokenType == JsonTokenType.StartObject;
            if (isMetadata && isObject)
            {
                shown.ReadMetadata(ref reader);
            }
            else if (isSpec && isObject)
            {
                shown.ReadSpec(ref reader);
            }
            else if (isStatus && isObject)
            {
                shown.ReadStatus(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        return shown;
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        while (Next(ref reader))
        {
            var isAnnotations = reader.ValueTextEquals("annotations"u8);
            reader.Read();
            if (isAnnotations && reader.TokenType == JsonTokenType.StartObject)
            {
                ReadAnnotations(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private void ReadAnnotations(ref Utf8JsonReader reader)
    {
        while (Next(ref reader))
        {
            var isAddress = reader.ValueTextEquals(MeshAnnotations.PodIP);
            reader.Read();
            _askedIP = isAddress ? Text(ref reader) : _askedIP;
            reader.Skip();
        }
    }

    private void ReadSpec(ref Utf8JsonReader reader)
    {
        while (Next(ref reader))
        {
            var isNode = reader.ValueTextEquals("nodeName"u8);
            reader.Read();
            NodeName = isNode ? Text(ref reader) ?? "" : NodeName;
            reader.Skip();
        }
    }

    private void ReadStatus(ref Utf8JsonReader reader)
    {
        while (Next(ref reader))
        {
            var isAddress = reader.ValueTextEquals("podIP"u8);
            var isPhase = reader.ValueTextEquals("phase"u8);
            var isConditions = reader.ValueTextEquals("conditions"u8);
            reader.Read();
            _statusIP = isAddress ? Text(ref reader) : _statusIP;
            IsTerminal |= isPhase && PodDocument.IsTerminalPhase(Text(ref reader));
            if (isConditions && reader.TokenType == JsonTokenType.StartArray)
            {
                while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
                {
                    ReadCondition(ref reader);
                }
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private void ReadCondition(ref Utf8JsonReader reader)
    {
        var isReady = false;
        string? status = null, reason = null, message = null;
        while (Next(ref reader))
        {
            var isType = reader.ValueTextEquals("type"u8);
            var isStatus = reader.ValueTextEquals("status"u8);
            var isReason = reader.ValueTextEquals("reason"u8);
            var isMessage = reader.ValueTextEquals("message"u8);
            reader.Read();
            isReady |= isType && reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("Ready"u8);
            status = isStatus ? Text(ref reader) : status;
            reason = isReason ? Text(ref reader) : reason;
            message = isMessage ? Text(ref reader) : message;
            reader.Skip();
        }

        if (isReady)
        {
            (Ready, Reason, Message) = (status ?? "", reason ?? "", message ?? "");
        }
    }

    private static bool Next(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    private static string? Text(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
}
