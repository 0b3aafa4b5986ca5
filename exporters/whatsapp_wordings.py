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

# Where it goes on with the name of who deleted it.
DELETED_BY = ("this message was deleted by admin", "this message was deleted by an admin")

# What "message" and "deleted" begin with in many languages. A sentence of the two is the app's own
# only if a file has it again and again, word for word: people write of deleted messages as well.
MESSAGE = (
    "messag|teachtaireacht|mensa|missat|mesaj|nachricht|bericht|berjocht|boodskap|mesaĝ"
    "|meddeland|melding|besked|skilabo|viesti|sõnum|žinut|ziņ|zpráv|správ|sporočil|poruk"
    "|wiadomo|üzenet|mesazh|pesan|mesej|ujumbe|mensahe|tin nhắn|ismarıc|хабар|xabar"
    "|сообщен|повідомл|паведамл|съобщ|порак|порук|хат|мессеж|μήνυμα|μηνύμ"
    "|הודע|رسال|میسج|پیام|پيام|پیغام|نامە|संदेश|सन्देश|मैसेज|मेसेज|বার্তা|মেসেজ|સંદેશ|મેસેજ|ਸੁਨੇਹ|ਸੰਦੇਸ਼"
    "|ସନ୍ଦେଶ|செய்தி|தகவல|సందేశ|మెసేజ్|ಸಂದೇಶ|സന്ദേശ|පණිවිඩ|ข้อความ|ຂໍ້ຄວາມ|សារ|မက်ဆေ့|စာ"
    "|შეტყობინ|հաղորդագր|መልእክት|メッセージ|메시지|메세지|信息|消息|訊息|讯息"
)
DELETION = (
    "delet|elimin|scrios|supprim|suprim|apag|borr|esborr|cancell|lösch|verwijder|fuorthelle|uitgevee"
    "|verwyder|rader|slett|eytt|poist|kustut|ištr|izdz|odstran|odstrán|zmaz|smaza|smazá|vymaz|izbri|obri"
    "|usun|töröl|törl|fshi|șterg|șters|hapus|padam|madam|futwa|futa|binura|xoá|xóa|sil"
    "|o‘chir|удал|видал|выдал|изтр|избри|обри|жой|өшір|устга|διαγρ|מחק|حذف|حذَف|سڕ|हट|मिट|डिलीट"
    "|মুছ|বাদ দ|ডিলিট|રદ્દ|કાઢી|ડિલીટ|ਹਟਾ|ਮਿਟਾ|ਡਿਲੀਟ|ବିଲୋପ|அழி|நீக்க|திரும்பப்|తొలగ|ಅಳಿ"
    "|ഇല്ലാതാ|മായ്|මකා|ลบ|ລຶບ|លុប|ဖျက်|წაიშ|წაშ|ջնջ|ተሰር|削除|삭제|删除|刪除"
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

# What stands for what can be seen once, and on the phone alone.
SEEN_ONCE = (
    "you received a view once message. for added privacy",
    "you sent a view once message. for added privacy",
)

WAITING = frozenset(("waiting for this message. this may take a while",))

# What stands before the link of a place that was sent, and behind the name of a file. People write
# other words there: of those that are not here, only the app's mark and a file's plain name tell.
PLACES = frozenset(
    (
        "location",
        "standort",
        "ubicación",
        "localisation",
        "localização",
        "posizione",
        "locatie",
        "placering",
        "lokation",
        "plats",
        "posisjon",
        "sijainti",
        "poloha",
        "položenie",
        "położenie",
        "lokalizacja",
        "helyzet",
        "locație",
        "lokacija",
        "локација",
        "местоположение",
        "місцезнаходження",
        "розташування",
        "τοποθεσία",
        "konum",
        "lokasi",
        "vị trí",
        "स्थान",
        "位置情報",
        "位置",
        "위치",
        "מיקום",
        "الموقع",
        "موقع",
        "موقعیت",
        "مقام",
    )
)
ATTACHED = frozenset(
    (
        "file attached",
        "datei angehängt",
        "archivo adjunto",
        "archivo adjuntado",
        "fichier joint",
        "arquivo anexado",
        "ficheiro anexado",
        "file allegato",
        "bestand bijgevoegd",
        "fil vedhæftet",
        "bifogad fil",
        "vedlagt fil",
        "liitetiedosto",
        "soubor byl přiložen",
        "súbor pripojený",
        "załączony plik",
        "fájl csatolva",
        "fișier atașat",
        "datoteka u privitku",
        "прикачен файл",
        "файл добавлен",
        "файл додано",
        "συνημμένο αρχείο",
        "dosya ekli",
        "file terlampir",
        "tệp đính kèm",
        "फ़ाइल संलग्न",
        "添付ファイル有り",
        "文件附件",
        "附件檔案",
        "파일 첨부됨",
        "קובץ מצורף",
        "الملف مرفق",
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
