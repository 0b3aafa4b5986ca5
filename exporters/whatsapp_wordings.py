"""The app's own wordings that have no shape to know them by: a short table, common languages.

Written down from exports as people quote them; compared in small letters, without marks and the
full stop at the end. What is not here is still found where its shape or the app's mark tells.
"""

DELETED = frozenset(
    (
        "this message was deleted",
        "you deleted this message",
        "diese nachricht wurde gelöscht",
        "du hast diese nachricht gelöscht",
        "este mensaje fue eliminado",
        "se eliminó este mensaje",
        "eliminaste este mensaje",
        "ce message a été supprimé",
        "vous avez supprimé ce message",
        "mensagem apagada",
        "essa mensagem foi apagada",
        "esta mensagem foi apagada",
        "você apagou essa mensagem",
        "você apagou esta mensagem",
        "questo messaggio è stato eliminato",
        "hai eliminato questo messaggio",
        "dit bericht is verwijderd",
        "je hebt dit bericht verwijderd",
        "tato zpráva byla odstraněna",
        "tuto zprávu jste odstranil/a",
        "ta wiadomość została usunięta",
        "usunięto tę wiadomość",
        "данное сообщение удалено",
        "вы удалили данное сообщение",
        "bu mesaj silindi",
        "bu mesajı sildiniz",
        "pesan ini telah dihapus",
        "anda telah menghapus pesan ini",
        "このメッセージは削除されました",
        "此消息已删除",
        "تم حذف هذه الرسالة",
    )
)

CALLS = frozenset(
    (
        "missed voice call",
        "missed video call",
        "missed group voice call",
        "missed group video call",
        "verpasster sprachanruf",
        "verpasster videoanruf",
        "llamada perdida",
        "llamada de voz perdida",
        "videollamada perdida",
        "appel vocal manqué",
        "appel vidéo manqué",
        "chamada de voz perdida",
        "chamada de vídeo perdida",
        "chiamata vocale persa",
        "videochiamata persa",
        "gemiste spraakoproep",
        "zmeškaný hovor",
        "пропущенный аудиозвонок",
        "пропущенный видеозвонок",
        "cevapsız sesli arama",
        "panggilan suara tak terjawab",
    )
)

MEDIA = frozenset(
    (
        "image omitted",
        "video omitted",
        "audio omitted",
        "gif omitted",
        "sticker omitted",
        "document omitted",
        "contact card omitted",
        "video note omitted",
        "bild weggelassen",
        "video weggelassen",
        "audio weggelassen",
        "gif weggelassen",
        "sticker weggelassen",
        "dokument weggelassen",
        "kontaktkarte ausgelassen",
        "imagen omitida",
        "video omitido",
        "audio omitido",
        "image absente",
        "vidéo absente",
        "audio omis",
        "imagem ocultada",
        "vídeo omitido",
        "immagine omessa",
        "video omesso",
        "audio omesso",
        "live location shared",
        "live-standort wird geteilt",
        "ubicación en tiempo real compartida",
        "localisation en direct partagée",
        "null",
    )
)

# Where the notice that nobody can read along begins; some builds put a person's name before it.
ENCRYPTED = (
    "messages and calls are end-to-end encrypted",
    "messages to this chat and calls are now secured",
    "messages to this group are now secured",
    "messages you send to this",
    "nachrichten und anrufe sind ende-zu-ende-verschlüsselt",
    "los mensajes y las llamadas están cifrados",
    "les messages et les appels sont chiffrés",
    "as mensagens e as chamadas são protegidas",
    "as mensagens e ligações são protegidas",
    "i messaggi e le chiamate sono crittografati",
    "berichten en oproepen worden end-to-end",
    "сообщения и звонки защищены сквозным",
    "mesajlar ve aramalar uçtan uca",
    "pesan dan panggilan terenkripsi",
)

# How an edited message ends, besides those tags that recur in a file or bear the app's mark.
EDITED = frozenset(
    (
        "<this message was edited>",
        "<diese nachricht wurde bearbeitet>",
        "<se editó este mensaje.>",
        "<ce message a été modifié>",
        "<mensagem editada>",
        "<questo messaggio è stato modificato>",
        "<dit bericht is bewerkt>",
        "<данное сообщение изменено>",
    )
)
