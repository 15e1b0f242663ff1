/* Everything the widget says, in one table. `{}` stands for the value. */
const WORDS = {
  en: {
    chat: "Chat", open: "Open the chat", openUnread: "Open the chat, {} unread", close: "Close the chat",
    greeting: "Hello! How can we help you?", write: "Write a message…", send: "Send", attach: "Attach a file",
    you: "You", desk: "Support", today: "Today", yesterday: "Yesterday", newest: "Go to the newest message",
    soon: "Usually answers within a minute or two", minutes: "Usually answers in about {} minutes",
    hour: "Usually answers in about an hour", hours: "Usually answers in about {} hours",
    day: "Usually answers within a day", days: "It may take a few days until we answer",
    unknown: "We answer as soon as we can",
    offline: "You are offline. What you write is kept and sent later.", connecting: "Connecting…",
    sending: "Sending…", kept: "Waits for the connection", sent: "Sent", failed: "Not sent", retry: "Try again", discard: "Discard",
    typing: "{} is writing…", tooLarge: "{} is too large (at most {2} MB).", uploadFailed: "{} could not be sent.",
    remove: "Remove {}", image: "Picture: {}", drop: "Drop the files here", tooMany: "At most {} files at once.",
    tooLong: "This is too long. Please send it in parts.", busy: "Too fast. Please wait a moment.",
    refused: "This page may not use the chat.", gone: "This chat is no longer open.",
    mailAsk: "Leaving? Get the answer by e-mail", mailLabel: "Your e-mail address", mailGo: "Send code",
    mailSent: "We sent a code to {}. Enter it here:", codeLabel: "Six-digit code", codeGo: "Confirm",
    mailDone: "If you leave, answers go to {}", mailBad: "This is not an e-mail address.",
    codeBad: "This code is wrong or has expired.", again: "Use another address", cancel: "Not now", netBad: "That did not work. Please try again.",
  },
  vi: {
    chat: "Trò chuyện", open: "Mở khung chat", openUnread: "Mở khung chat, {} tin chưa đọc", close: "Đóng khung chat",
    greeting: "Xin chào! Chúng tôi có thể giúp gì cho anh/chị?", write: "Nhập tin nhắn…", send: "Gửi", attach: "Đính kèm tệp",
    you: "Bạn", desk: "Hỗ trợ", today: "Hôm nay", yesterday: "Hôm qua", newest: "Đến tin mới nhất",
    soon: "Thường trả lời trong một, hai phút", minutes: "Thường trả lời trong khoảng {} phút",
    hour: "Thường trả lời trong khoảng một giờ", hours: "Thường trả lời trong khoảng {} giờ",
    day: "Thường trả lời trong một ngày", days: "Có thể vài ngày nữa chúng tôi mới trả lời được",
    unknown: "Chúng tôi sẽ trả lời sớm nhất có thể",
    offline: "Đang mất mạng. Tin nhắn được giữ lại và gửi sau.", connecting: "Đang kết nối…",
    sending: "Đang gửi…", kept: "Chờ có mạng", sent: "Đã gửi", failed: "Chưa gửi được", retry: "Thử lại", discard: "Bỏ",
    typing: "{} đang nhập…", tooLarge: "{} quá lớn (tối đa {2} MB).", uploadFailed: "Không gửi được {}.",
    remove: "Bỏ {}", image: "Ảnh: {}", drop: "Thả tệp vào đây", tooMany: "Mỗi lần tối đa {} tệp.",
    tooLong: "Tin nhắn quá dài. Vui lòng gửi thành nhiều phần.", busy: "Gửi hơi nhanh, vui lòng chờ một chút.",
    refused: "Trang này không được phép dùng khung chat.", gone: "Khung chat này không còn hoạt động.",
    mailAsk: "Sắp rời trang? Nhận trả lời qua email", mailLabel: "Địa chỉ email của anh/chị", mailGo: "Gửi mã",
    mailSent: "Mã đã được gửi đến {}. Nhập mã vào đây:", codeLabel: "Mã sáu chữ số", codeGo: "Xác nhận",
    mailDone: "Khi anh/chị rời trang, trả lời sẽ gửi đến {}", mailBad: "Đây không phải địa chỉ email.",
    codeBad: "Mã không đúng hoặc đã hết hạn.", again: "Dùng địa chỉ khác", cancel: "Để sau", netBad: "Chưa được. Vui lòng thử lại.",
  },
};

const script = document.currentScript;
const settings = script ? script.dataset : {};
const language = (settings.lang || document.documentElement.lang || navigator.language || "en").toLowerCase().startsWith("vi") ? "vi" : "en";
const t = (name, value = "", second = "") => WORDS[language][name].replace("{2}", second).replace("{}", value);
